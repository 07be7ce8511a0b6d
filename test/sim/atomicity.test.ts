import { it } from 'vitest'
import { campaign, sound } from './campaign.ts'

it(
  'leaves a prefix of the committed transactions, with every acknowledged one, wherever it crashes',
  () => campaign(sound),
  86_400_000,
)
