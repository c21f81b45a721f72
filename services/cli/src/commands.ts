import type { Settings } from './config.ts';

interface Command {
  /** Runs the command and answers the exit code: 0, 1 for a failure, 2 for arguments not understood. */
  readonly run: (args: string[], settings: Settings) => Promise<number>;
}

/** The commands by purpose, as they are listed. Each is loaded only when used, so that none waits for loading another's Kafka client. */
export const GROUPS = {
  Run: {
    start: () => import('./commands/start.ts'),
    demo: () => import('./commands/demo.ts'),
    setup: () => import('./commands/setup.ts'),
  },
  'Members and claims': {
    load: () => import('./commands/load.ts'),
    explain: () => import('./commands/explain.ts'),
    quote: () => import('./commands/quote.ts'),
    refund: () => import('./commands/refund.ts'),
    backdated: () => import('./commands/backdated.ts'),
  },
  Rules: {
    policy: () => import('./commands/policy.ts'),
    simulate: () => import('./commands/simulate.ts'),
    arrears: () => import('./commands/arrears.ts'),
  },
  'Books and reports': {
    audit: () => import('./commands/audit.ts'),
    books: () => import('./commands/books.ts'),
    reconcile: () => import('./commands/reconcile.ts'),
    export: () => import('./commands/export.ts'),
  },
  Operate: {
    'dead-letters': () => import('./commands/dead-letters.ts'),
    quarantine: () => import('./commands/quarantine.ts'),
    partitions: () => import('./commands/partitions.ts'),
    renumber: () => import('./commands/renumber.ts'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>>;

export type GroupName = keyof typeof GROUPS;
export type CommandName = { [Group in GroupName]: keyof (typeof GROUPS)[Group] }[GroupName];

export const COMMANDS: Readonly<Record<CommandName, () => Promise<Command>>> = Object.assign(
  {},
  ...Object.values(GROUPS),
);

export const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);
