import { afterAll, beforeAll, describe } from 'vitest';
import { apiCases } from './api.cases.ts';
import { type RunningCity, startCity } from './city.fixture.ts';
import { contractCases } from './contract.cases.ts';
import { exportCases } from './export.cases.ts';
import { loadCases } from './load.cases.ts';
import { personalCases } from './personal.cases.ts';
import { simulateCases } from './simulate.cases.ts';

let running: RunningCity;

beforeAll(async () => {
  running = await startCity();
});

afterAll(() => running?.[Symbol.asyncDispose]());

describe('the contract', () => contractCases(() => running));
describe('export', () => exportCases(() => running));
describe('simulate', () => simulateCases(() => running));
// Last: what comes from here on changes the books.
describe('explain, quote and refund', () => apiCases(() => running));
describe('load', () => loadCases(() => running));
describe('what nobody asked to see', () => personalCases(() => running));
