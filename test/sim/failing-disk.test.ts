import { it } from 'vitest'
import { campaign, failing } from './campaign.ts'

it(
  'does so too when operations of the disk fail, in a program and in the recovery after it',
  () => campaign(failing),
  86_400_000,
)
