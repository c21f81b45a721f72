import { afterAll, beforeAll, describe } from 'vitest';
import { type RunningCity, startCity } from './city.fixture.ts';
import { contractCases } from './contract.cases.ts';

let running: RunningCity;

beforeAll(async () => {
  running = await startCity();
});

afterAll(() => running?.[Symbol.asyncDispose]());

describe('the contract', () => contractCases(() => running));
