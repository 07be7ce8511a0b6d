import { it } from 'vitest'
import { CRASHES, campaign, large, largeFailing } from './campaign.ts'

it(
  'leaves a prefix of the committed transactions where large files are changed in place',
  () => campaign(large, CRASHES / 2),
  3_600_000,
)

it('does so too when operations of the disk fail', () => campaign(largeFailing, CRASHES / 2), 3_600_000)
