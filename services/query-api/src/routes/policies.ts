import { policiesAnswer, policyAnswer } from '@repo/contracts';
import { addDays, type CalendarDate, dateOf } from '@repo/domain';
import { type ExplainedParameter, PARAMETERS } from '@repo/policy';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { areaParameter, dateParameter } from '../parameters.ts';
import { EVERYONE } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';

/** `GET /v1/policies`: the packs there are. `GET /v1/policies/{insu_admdvs}`: an area's rules on one date beside those of another date or area. */
export function policyRoutes(app: Api, { policies, now }: ApiDeps): void {
  const packs = policies.packs
    .map(({ region, from, to }) => ({ region, from, to }))
    .sort((one, other) => (`${one.region} ${one.from ?? ''}` < `${other.region} ${other.from ?? ''}` ? -1 : 1));
  const { changes } = policies;
  app.get(
    '/v1/policies',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'listPolicies',
        tags: ['Policies'],
        summary: 'The regional packs of rules, and the days on which rules change',
        response: responses({ of: policiesAnswer, is: 'all that are loaded' }),
      },
    },
    async () => ({ packs, changes }),
  );

  app.get(
    '/v1/policies/:insu_admdvs',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'getPolicy',
        tags: ['Policies'],
        summary: 'The rules of an area on a date, beside those of another date or another area, and when they change',
        params: z.object({ insu_admdvs: areaParameter('医保区划: six digits') }),
        querystring: z.object({
          on: dateParameter('the date; default today').optional(),
          other: dateParameter('the date to compare with; default the same').optional(),
          other_area: areaParameter('the area to compare with; default the same').optional(),
        }),
        response: responses(
          { of: policyAnswer, is: 'every parameter, who set it, and whether the two differ' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ params: { insu_admdvs: area }, query }) => {
      const { on = dateOf(now()), other = on, other_area: otherArea = area } = query;
      const rulesOf = (place: string, date: CalendarDate) => {
        const { region, version } = policies.policyAt(place, date);
        return { on: date, area: place, region, version };
      };
      return {
        insu_admdvs: area,
        rules: rulesOf(area, on),
        other: rulesOf(otherArea, other),
        parameters: beside([area, on], [otherArea, other]),
        changes: changesOf(area),
      };
    },
  );

  const beside = (first: readonly [string, CalendarDate], second: readonly [string, CalendarDate]) => {
    const others = new Map(policies.explainPolicy(...second).map((each) => [each.parameter, each]));
    return policies.explainPolicy(...first).map((each) => compared(each, others.get(each.parameter)));
  };

  /** The days on which this area's own rules change, each with what differs from the day before. */
  const changesOf = (area: string) =>
    changes.flatMap((day) => {
      const differing = beside([area, addDays(day, -1)], [area, day]).filter(({ differs }) => differs);
      return differing.length === 0 ? [] : [{ on: day, parameters: differing.map(({ parameter }) => parameter) }];
    });
}

function compared(first: ExplainedParameter, second: ExplainedParameter = first) {
  const { zh, en } = PARAMETERS[first.parameter];
  return {
    parameter: first.parameter,
    zh,
    en,
    value: first.value,
    set_by: setBy(first),
    other: second.value,
    other_set_by: setBy(second),
    differs: JSON.stringify(first.value) !== JSON.stringify(second.value),
  };
}

const setBy = ({ source }: ExplainedParameter): string | null =>
  source === 'default' ? null : `${source.region} ${source.version}`;
