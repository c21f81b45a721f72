import { type Area, inPage } from './area.ts';

/** Accounts against their entries, replayed from the first. Read in pages. */
export const ACCOUNTS: Area = {
  subject: 'accounts',
  checks: {
    'account-exists': 'has an account row',
    'account-opened': 'was opened by an event that is known, and with its first entry, if with any',
    'account-balance': 'has prior_year, current_year and held equal to the sums of its entries',
    'account-version': 'has as many entries as its version says, numbered without gaps',
    'account-chain': 'has entries that each continue where the one before ended',
    'account-never-negative': 'never had a portion below 0.00',
    'account-sums': 'has credits and debits equal to the sums of what entered and left',
    'account-held': 'holds for payout what is open in held_refund',
  },
  sql: `
    with step as (
      select psn_no, version, kind, prior_year, current_year, held, prior_year + current_year + held as moved,
        prior_year_after, current_year_after, row_number() over walk as place,
        sum(prior_year) over walk as prior_sum, sum(current_year) over walk as current_sum, sum(held) over walk as held_sum
      from all_entry where ${inPage('psn_no')} window walk as (partition by psn_no order by version)
    ), replayed as (
      select psn_no, count(*) as entries, sum(prior_year) as prior_year, sum(current_year) as current_year, sum(held) as held,
        sum(greatest(moved, 0)) as credits, sum(greatest(-moved, 0)) as debits, bool_and(version = place) as is_dense,
        bool_and(kind <> 'OPENING' or place = 1) as is_opened_first,
        bool_and(prior_year_after = prior_sum and current_year_after = current_sum) as is_chained,
        least(min(prior_sum), min(current_sum), min(held_sum), min(prior_year_after), min(current_year_after)) as lowest
      from step group by psn_no
    ), waiting as (
      select psn_no, sum(amount - paid) as held from held_refund where ${inPage('psn_no')} group by psn_no
    ), known as (
      select psn_no, account.ctid as place, version, prior_year, current_year, held, credits, debits
      from account where ${inPage('psn_no')}
    )
    select coalesce('row ' || known.place || ' of account', 'entries without an account') as ref,
      known.psn_no is not null as "account-exists",
      known.psn_no is null or (opened.event_id is not null and coalesce(is_opened_first, true)) as "account-opened",
      known.psn_no is null or (known.prior_year = coalesce(replayed.prior_year, 0)
        and known.current_year = coalesce(replayed.current_year, 0)
        and known.held = coalesce(replayed.held, 0)) as "account-balance",
      known.psn_no is null or (known.version = coalesce(replayed.entries, 0)
        and coalesce(is_dense, true)) as "account-version",
      coalesce(is_chained, true) as "account-chain",
      coalesce(lowest, 0) >= 0 and coalesce(least(known.prior_year, known.current_year, known.held), 0) >= 0
        as "account-never-negative",
      known.psn_no is null or (known.credits = coalesce(replayed.credits, 0)
        and known.debits = coalesce(replayed.debits, 0)) as "account-sums",
      known.psn_no is null or known.held = coalesce(waiting.held, 0) as "account-held"
    from known full join replayed using (psn_no) left join waiting using (psn_no)
    left join event_id opened on opened.event_id = 'account.opened:' || known.psn_no || ':'`,
};

/** Condition for the ids of a type of event: between its name with a colon and its name with the next character. */
const eventsOf = (type: string): string => `event_id > '${type}:' and event_id < '${type};'`;

/** Where an event is stored. A subquery, run only for the few examples, so that all others are read from the index alone. */
const placeOfEvent = (id: string): string =>
  `'row ' || (select ctid from event_id where event_id = ${id}) || ' of event_id'`;

const idsAfter = (type: string): string => `substr(event_id, ${type.length + 2})`;

/** Openings against accounts. That each account has its opening is checked with the accounts. */
export const OPENINGS: Area = {
  subject: 'openings',
  checks: { 'opening-account': 'has an account row' },
  sql: `
    with opened as (
      select event_id as id, left(${idsAfter('account.opened')}, -1) as psn_no from event_id where ${eventsOf('account.opened')}
    )
    select ${placeOfEvent('id')} as ref, account.psn_no is not null as "opening-account"
    from opened left join account using (psn_no)`,
};

/**
 * Credits against the events that brought them, by their common id. An `account.credited` leaves exactly one entry; a contribution leaves
 * one where it brought money, which its event id does not tell. A credit and a contribution may have the same id.
 */
export const CREDITS: Area = {
  subject: 'credits',
  checks: {
    'credit-event': 'has its event',
    'credit-once': 'is one entry, where its event is a contribution one at most',
  },
  sql: `
    with named as (
      select reference, 1 as entries, 0 as credits, 0 as contributions, place, stored_in from all_entry where kind = 'CREDIT'
      union all
      select ${idsAfter('account.credited')}, 0, 1, 0, null, null from event_id where ${eventsOf('account.credited')}
      union all
      select ${idsAfter('contribution.received')}, 0, 0, 1, null, null from event_id where ${eventsOf('contribution.received')}
    ), counted as (
      select reference, sum(entries) as entries, sum(credits) as credits, sum(credits + contributions) as events,
        any_value(place) as place, any_value(stored_in) as stored_in
      from named group by reference having sum(entries + credits) > 0
    )
    select coalesce('row ' || place || ' of ' || stored_in, ${placeOfEvent(`'account.credited:' || reference`)}) as ref,
      events > 0 as "credit-event", events = 0 or entries between credits and events as "credit-once"
    from counted`,
};

/** What each kind of entry may do, and the events of those that neither an outcome nor a credit accounts for. Read in pages. */
export const ENTRIES: Area = {
  subject: 'entries',
  checks: {
    'entry-event': 'has its event (payouts), or the entry it was made for or the day of New Year (rollovers)',
    'entry-direction': 'moves money the way its kind does, 0.01 or more',
    'entry-day': 'is booked on its day, or later where that was closed',
    'entry-binding': 'names a binding of this payer, where it names one',
  },
  sql: `
    with given as (
      select stored_in, place, psn_no, version, kind, reference, binding_id, prior_year, current_year, held, on_day, book_day,
        -- Where only what earlier years left is shared, New Year is found by an event that posts nothing.
        kind = 'ROLLOVER' and reference = on_day::text and reference like '____-01-01' as is_by_itself,
        lead(kind) over walk as next_kind, lead(reference) over walk as next_reference,
        case when kind = 'PAYOUT' and reference ~ '^[A-Za-z0-9._-]+$' then 'refund.paid:' || reference || ':' || psn_no end as event
      from all_entry where ${inPage('psn_no')} window walk as (partition by psn_no order by version)
    )
    select 'row ' || given.place || ' of ' || given.stored_in as ref,
      case when kind = 'ROLLOVER' then is_by_itself or next_reference = reference and next_kind <> 'ROLLOVER'
        else event is null or event_id.event_id is not null end as "entry-event",
      case when kind = 'PAYOUT' then prior_year = 0 and current_year = 0 and held < 0
        when kind = 'ROLLOVER' then prior_year > 0 and current_year = -prior_year and held = 0
        when kind in ('CLAIM', 'PREMIUM') then greatest(prior_year, current_year) <= 0 and held = 0
          and prior_year + current_year < 0
        when kind = 'REFUND' then least(prior_year, current_year, held) >= 0
          and (held = 0) <> (prior_year + current_year = 0)
        else least(prior_year, current_year) >= 0 and held = 0 and prior_year + current_year > 0 end as "entry-direction",
      book_day >= on_day as "entry-day",
      given.binding_id is null or binding.binding_id is not null as "entry-binding"
    from given
    left join event_id on event_id.event_id = given.event
    left join binding on binding.payer = given.psn_no and binding.binding_id = given.binding_id`,
};

/**
 * Usage by binding and day against the entries: a refund counts on the day of the claim it refunds, found through the outcome's place.
 * Checks a binding's own daily limit; a region's limits are the settlement's business.
 */
export const BINDING_DAYS: Area = {
  subject: 'bindingDays',
  checks: {
    'usage-amount': 'has entries counted on it that equal its payments less their refunds',
    'usage-limit': 'is within the daily limit of its binding',
  },
  sql: `
    with paid as (
      select psn_no as payer, binding_id, on_day, reference, -(prior_year + current_year + held) as amount
      from all_entry where kind = 'CLAIM' and binding_id is not null
    ), returned as (
      select entry.psn_no as payer, entry.binding_id, listed.claim_id as reference,
        -(prior_year + current_year + held) as amount
      from all_entry as entry
      join event_id on event_id = 'refund:' || entry.reference
      join claim_refund listed on listed.shard_id = event_id.shard_id and listed.seq = event_id.seq
      where kind = 'REFUND' and binding_id is not null
    ), used as (
      select payer, binding_id, on_day, sum(amount) as amount from (
        select payer, binding_id, on_day, amount from paid
        union all
        select payer, binding_id, on_day, returned.amount from returned join paid using (payer, binding_id, reference)
      ) every group by payer, binding_id, on_day
    ), counted as (
      select psn_no as payer, binding_id, counted_on as on_day, -sum(prior_year + current_year + held) as amount
      from all_entry where counted_on is not null group by psn_no, binding_id, counted_on
    )
    select 'binding ' || binding_id || ' on ' || on_day as ref,
      coalesce(counted.amount, 0) = coalesce(used.amount, 0) as "usage-amount",
      binding.daily_limit is null or coalesce(used.amount, 0) <= binding.daily_limit as "usage-limit"
    from used full join counted using (payer, binding_id, on_day) left join binding using (payer, binding_id)`,
};

/**
 * What is left of authorised amounts. The amount at the binding's opening is recorded nowhere, and not every payment uses it: so from one
 * recorded change to the next, and from the last to now, it must have lost at most what was paid, and gained at most what was returned.
 * Changes recorded by an older worker do not say after which entry they came, and are left out.
 */
export const BINDINGS: Area = {
  subject: 'bindings',
  checks: {
    'binding-authorised':
      'of which a change was noted: has an authorised amount that the changes and what was paid and returned since allow',
  },
  sql: `
    with stated as (
      select payer, binding_id, change_no, payer_version as since, coalesce((part ->> 'after')::numeric, 0) as amount,
        lead(change_no) over walk is null as is_last, lead(payer_version) over walk as until,
        lead(coalesce((part ->> 'before')::numeric, 0)) over walk as found
      from binding_change cross join jsonb_array_elements(changes) part
      where part ->> 'field' = 'authorised_amount' window walk as (partition by payer, binding_id order by change_no)
    ), moved as (
      select payer, binding_id, change_no, sum(least(prior_year + current_year + held, 0)) as paid,
        sum(greatest(prior_year + current_year + held, 0)) as returned
      from stated join all_entry as entry using (binding_id)
      where entry.psn_no = payer and version > since and (is_last or version <= until)
      group by payer, binding_id, change_no
    )
    select 'binding ' || binding_id as ref, bool_and(case when is_last then coalesce(authorised_amount, 0) else found end
      between greatest(amount + coalesce(paid, 0), 0) and amount + coalesce(returned, 0)) as "binding-authorised"
    from stated join binding using (payer, binding_id) left join moved using (payer, binding_id, change_no)
    where since is not null and (is_last or until is not null) group by payer, binding_id`,
};

export const HELD_REFUNDS: Area = {
  subject: 'heldRefunds',
  checks: { 'held-refund': 'has amount and paid equal to what its entries hold and paid out' },
  sql: `
    with posted as (
      select psn_no, reference as refund_id, sum(held) filter (where kind = 'REFUND') as amount,
        -sum(held) filter (where kind = 'PAYOUT') as paid
      from all_entry where held <> 0 group by psn_no, reference
    )
    select 'refund ' || refund_id as ref,
      held_refund.amount = posted.amount and held_refund.paid = coalesce(posted.paid, 0) as "held-refund"
    from held_refund full join posted using (psn_no, refund_id)`,
};

export const DAYS: Area = {
  subject: 'days',
  checks: {
    'day-balanced': 'has postings that sum to zero',
    'day-closed': 'once closed, has the entries and sums it was closed with',
  },
  sql: `
    with posted as (
      select book_day as day, count(*) / 2 as entries, sum(amount) as rest, sum(greatest(amount, 0)) as debits,
        sum(greatest(-amount, 0)) as credits
      from posting group by book_day
    )
    select 'day ' || day as ref, coalesce(posted.rest, 0) = 0 as "day-balanced",
      case when book_day.day is null then posted.day > (select coalesce(max(closed_through), '-infinity') from shard)
        else book_day.entries = coalesce(posted.entries, 0) and book_day.debits = coalesce(posted.debits, 0)
          and book_day.credits = coalesce(posted.credits, 0) end as "day-closed"
    from posted full join book_day using (day)`,
};

/** Sequence numbers in the outbox, which make "exactly once, in order" checkable from outside. */
export const SHARDS: Area = {
  subject: 'shards',
  checks: {
    'shard-known': 'has a shard row',
    'shard-sequence': 'has outcomes numbered 1 to out_seq without gaps',
    'shard-destination': 'has results and dead letters numbered 1 to result_seq and dead_seq without gaps',
    'shard-published': 'has published no more than it has written',
    'shard-held': 'knows whether it holds messages, and holds only such as it has passed',
  },
  sql: `
    with numbered as (
      select shard_id, seq, dest, dest_seq, row_number() over (partition by shard_id order by seq) as place,
        row_number() over (partition by shard_id, dest order by seq) as dest_place
      from all_outcome
    ), written as (
      select shard_id, count(*) as outcomes, bool_and(seq = place) as is_dense, bool_and(dest_seq = dest_place) as is_dest_dense,
        count(*) filter (where dest = 'R') as results, count(*) filter (where dest = 'D') as dead
      from numbered group by shard_id
    ), held as (
      select topic, partition, max(log_offset) as last from quarantined_message group by topic, partition
    )
    select coalesce(topic || '/' || partition, 'shard_id ' || shard_id) as ref,
      topic is not null as "shard-known",
      topic is null or (coalesce(outcomes, 0) = out_seq and coalesce(is_dense, true)) as "shard-sequence",
      topic is null or (coalesce(results, 0) = result_seq and coalesce(dead, 0) = dead_seq
        and coalesce(is_dest_dense, true)) as "shard-destination",
      topic is null or published_seq between 0 and out_seq as "shard-published",
      topic is null or (quarantined = (held.last is not null) and coalesce(held.last < next_offset, true)) as "shard-held"
    from shard full join written using (shard_id) left join held using (topic, partition)`,
};

/** Results of the claims shards to which no event id leads. Rejections take no event id and are recognised by their own id. */
export const unclaimedResults = (claimsTopic: string): Area => ({
  subject: 'outcomes',
  checks: { 'outcome-event': 'is the outcome of an event that is known' },
  sql: `
    select topic || '/' || partition || ' seq ' || seq as ref, event_id is not null as "outcome-event"
    from all_outcome join shard using (shard_id) left join event_id using (shard_id, seq, month)
    where topic = '${claimsTopic.replaceAll("'", "''")}' and dest = 'R' and coalesce(position('"id":"rejected:' in stamp), 0) = 0`,
});

/** The list of refunds by claim against the events: a listed refund that is no event's outcome was never decided. */
export const LISTED_REFUNDS: Area = {
  subject: 'outcomes',
  checks: { 'refund-known': 'listed as a refund: is the outcome of a refund that is known' },
  sql: `
    select 'refund of claim ' || claim_id as ref, coalesce(event_id like 'refund:%', false) as "refund-known"
    from claim_refund left join event_id using (shard_id, seq, month)`,
};
