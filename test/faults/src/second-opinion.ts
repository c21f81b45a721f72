import type { Place } from './evidence.ts';
import { gongji } from './gongji.ts';
import type { Problem } from './problems.ts';

const AUDITED_WITHIN_MS = 3_600_000;

/** What the product's own audit command finds, run as an operator would. It adds to the verdict and takes nothing from it. */
export async function secondOpinion(place: Place): Promise<Problem[]> {
  const said = await gongji(place, ['audit', '--json'], AUDITED_WITHIN_MS);
  return said === null ? [] : [{ kind: 'altered', what: `gongji audit is not clean: ${said.slice(0, 2_000)}` }];
}
