import { type Binding, date, type SharingEvent } from '@repo/domain';
import { expect, test } from 'vitest';
import { MemberDraft } from '../src/apply-members.ts';

const binding: Binding = {
  bindingId: 'B1',
  payer: 'P2',
  beneficiary: 'P1',
  relation: 'SPOUSE',
  type: 'FAMILY_SHARING',
  state: 'ACTIVE',
  holds: new Map(),
  priority: null,
  boundAt: 0,
  effectiveFrom: date('2025-01-01'),
  effectiveTo: null,
  dailyLimit: null,
  authorisedAmount: null,
  premiumRegistered: false,
};

test('a check counts the pauses of its outcomes, and not what it resumes', () => {
  const paused: SharingEvent = {
    kind: 'PAUSED',
    binding,
    reason: 'ARREARS',
    effectiveOn: date('2025-04-01'),
    at: 0,
    cause: { type: 'arrears.check', id: 'night' },
  };
  const draft = new MemberDraft();
  draft.tell([paused, { ...paused, kind: 'RESUMED' }, paused]);
  expect(draft.outcomes).toHaveLength(3);
  expect(draft.paused).toBe(2);
});
