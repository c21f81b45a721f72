import { type CalendarDate, dateOf } from '@repo/domain';
import type { Truncated } from '@repo/messaging';

/** For the user: from which dates the truncated topics still hold their records, and why days from `from` on need more. */
export function describeLoss(truncated: readonly Truncated[], from: CalendarDate): string {
  const lines = [...Map.groupBy(truncated, ({ topic }) => topic)].map(([topic, places]) => {
    const oldest = places.map(({ oldestMs }) => oldestMs).filter((moment) => moment !== null);
    // Each partition is complete from its oldest record on, so the topic is complete from the latest of these.
    if (oldest.length < places.length) return `  ${topic} holds nothing of what was sent before now, in some partition`;
    return `  ${topic} holds what was sent from ${dateOf(Math.max(...oldest))} on`;
  });
  return [
    `Claims from ${from} on cannot be replayed: balances come of every input since the first, and the topics do not go back to it any more:`,
    ...lines,
    'What is older was deleted by their retention. Where `gongji setup` creates them they keep everything, or as many days as',
    'GONGJI_INPUT_RETENTION_DAYS says; deploy/README.md says how topics that exist are changed, for what is sent from then on.',
  ].join('\n');
}
