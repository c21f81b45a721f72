import { afterAll, beforeAll, beforeEach, describe, vi } from 'vitest';
import { findBrowser, NO_BROWSER } from '../../src/browser.ts';
import { Stage } from '../../src/stage.ts';
import { anyone } from './people/anyone.ts';
import { clerk } from './people/clerk.ts';
import { commands } from './people/commands.ts';
import { family } from './people/family.ts';
import { operator } from './people/operator.ts';
import { rawEvents } from './people/raw-events.ts';
import { repair } from './people/repair.ts';
import { tablet } from './people/tablet.ts';

const path = findBrowser();
// A slow or busy machine is no failure; a page that hangs is.
vi.setConfig({ testTimeout: 120_000 });
let stage: Stage;

beforeAll(async () => {
  if (path !== null) stage = await Stage.open(path);
}, 180_000);
afterAll(() => stage?.[Symbol.asyncDispose]());
beforeEach(({ skip }) => skip(path === null, NO_BROWSER));

describe('a clerk', () => clerk(() => stage));
describe('who looks at raw events', () => rawEvents(() => stage));
describe('a family', () => family(() => stage));
describe('commands', () => commands(() => stage));
describe('an operator', () => operator(() => stage));
describe('an operator repairs', () => repair(() => stage));
describe('a tablet', () => tablet(() => stage));
describe('anyone', () => anyone(() => stage));
