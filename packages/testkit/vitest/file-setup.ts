import { afterAll } from 'vitest';
import { releaseDatabases } from '../src/database.ts';

interface Task {
  readonly result?: { readonly state?: string } | undefined;
  readonly tasks?: readonly Task[];
}

const hasFailed = (task: Task): boolean => task.result?.state === 'fail' || (task.tasks ?? []).some(hasFailed);

const release = (_context: object, file: Task): Promise<void> => releaseDatabases(hasFailed(file));

// Hooks run in the reverse order of their registration, so this one comes after every hook of the test file. Vitest reads
// a hook's source to find the fixtures it names; a bound function shows none and is simply given the file.
afterAll(release.bind(undefined));
