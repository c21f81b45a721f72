import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get, type Parameters } from './client.ts';
import type {
  Account,
  Alerts,
  ArrearsChecks,
  Backdated,
  Binding,
  BindingHistory,
  Codes,
  DeadLetter,
  DeadLetters,
  Explanation,
  HeldMessages,
  HeldRefunds,
  Input,
  Live,
  Policies,
  PolicyRules,
  Quarantine,
  QuarantineOrder,
  Reconciliation,
  Standing,
  Summaries,
  Totals,
  Usage,
} from './types.ts';

const read = <T>(path: string, parameters: Parameters = {}) =>
  queryOptions({ queryKey: [path, parameters], queryFn: ({ signal }) => get<T>(path, parameters, signal) });

/** A list page by page: each asks for what comes behind the one before. */
const pages = <T extends { next?: string | undefined }>(path: string, parameters: Parameters = {}) =>
  infiniteQueryOptions({
    queryKey: [path, parameters, 'pages'],
    queryFn: ({ signal, pageParam }) => get<T>(path, { ...parameters, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });

const id = encodeURIComponent;

export const accountOf = (personNo: string) => read<Account>(`/v1/accounts/${id(personNo)}`);
export const bindingsOf = (side: 'payer' | 'beneficiary', personNo: string) =>
  read<{ bindings: Binding[] }>('/v1/bindings', { [side]: personNo });
export const historyOf = (bindingId: string) => read<BindingHistory>(`/v1/bindings/${id(bindingId)}/history`);
export const settlementOf = (claimId: string) => read<Standing>(`/v1/settlements/${id(claimId)}`);
export const explanationOf = (claimId: string, lang: string) =>
  read<Explanation>(`/v1/settlements/${id(claimId)}/explanation`, { lang });
/** A message does not change; whether its topic still holds it, may. */
const input = (path: string) => ({ ...read<Input>(path), staleTime: 60_000 });
export const inputOf = (claimId: string) => input(`/v1/settlements/${id(claimId)}/input`);
export const refundInputOf = (claimId: string, refundId: string) =>
  input(`/v1/settlements/${id(claimId)}/refunds/${id(refundId)}/input`);
export const settlementsOf = (personNo: string) => read<Summaries>('/v1/settlements', { psn_no: personNo });
export const usageOf = (filter: Parameters) => read<Usage>('/v1/usage', filter);
export const heldRefunds = (personNo?: string) => read<HeldRefunds>('/v1/held-refunds', { psn_no: personNo });
export const backdated = (payer?: string) => read<Backdated>('/v1/backdated', { payer });
export const arrearsChecks = () => ({ ...read<ArrearsChecks>('/v1/arrears-checks'), refetchInterval: 2_000 });
export const deadLetters = (filter: Parameters) => pages<DeadLetters>('/v1/dead-letters', filter);
export const deadLetterOf = (letterId: string, content: boolean) =>
  read<DeadLetter>(`/v1/dead-letters/${id(letterId)}`, content ? { content: 'true' } : {});
export const quarantine = (filter: Parameters) => pages<Quarantine>('/v1/quarantine', filter);
export const heldAt = (place: string, content: boolean) =>
  pages<HeldMessages>(`/v1/quarantine/${id(place)}`, content ? { content: 'true' } : {});
export const quarantineOrder = (orderId: string) => ({
  ...read<QuarantineOrder>(`/v1/quarantine-orders/${id(orderId)}`),
  refetchInterval: 1_000,
});
export const reconciliation = (day: string, institution?: string) => ({
  ...read<Reconciliation>('/v1/reconciliation', { day, institution }),
  staleTime: 60_000,
});
export const policies = () => read<Policies>('/v1/policies');
export const rulesOf = (area: string, on: string, other?: string, otherArea?: string) =>
  read<PolicyRules>(`/v1/policies/${id(area)}`, { on, other, other_area: otherArea });
export const rulesBeside = (area: string, on: string, other: string, otherArea: string) => ({
  ...rulesOf(area, on, other, otherArea),
  placeholderData: keepPreviousData,
});
/** Nothing here changes while a page is open. */
export const codes = () => ({ ...read<Codes>('/v1/codes'), staleTime: Number.POSITIVE_INFINITY });
export const live = () => ({ ...read<Live>('/v1/live'), refetchInterval: 1_000 });
export const alerts = () => ({ ...read<Alerts>('/v1/alerts'), refetchInterval: 10_000 });
export const totals = (day?: string) => ({
  ...read<Totals>('/v1/totals', { day }),
  refetchInterval: 5_000,
  placeholderData: keepPreviousData,
});
/** Which commands this API offers: its own description says. */
export const description = () => ({
  ...read<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json'),
  staleTime: Number.POSITIVE_INFINITY,
});
