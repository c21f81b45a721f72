import { type Fault, until } from './fault.ts';
import { gongji } from './gongji.ts';
import type { Stage } from './stage.ts';

const RELEASED_WITHIN_MS = 120_000;

/**
 * Workers fail on every message of one patient, which the database refuses for no reason that passes: the patient's messages are set
 * aside, all others are answered, and when the defect is mended an operator releases what is held.
 */
export const poison: Fault = {
  name: 'a patient whose messages the workers fail on',
  run: (stage) =>
    stage.withDatabase(async (client) => {
      const patient = stage.random.pick(stage.load.patients);
      stage.setAside.add(patient);
      await client.query(`create function fault_poison() returns trigger language plpgsql as $$ begin
        if new.key = convert_to(${client.escapeLiteral(patient)}, 'UTF8') then raise 'poison'; end if;
        return new; end $$`);
      try {
        await client.query(
          'create trigger fault_poison before insert on outcome for each row execute function fault_poison()',
        );
        await until(async () => ((await held(stage)) ?? 0) > 1, 'nothing was set aside');
        const since = performance.now();
        await until(async () => stage.load.hasFlowedSince(since), 'the others do not go on');
      } finally {
        await client.query('drop function fault_poison() cascade');
      }
      // A dead letter of the members may be what failed, so all that is held is released.
      const said = await gongji(stage.place, ['quarantine', 'release', '--all'], RELEASED_WITHIN_MS);
      if (said !== null) throw new Error(`the release failed: ${said}`);
      await until(async () => (await held(stage)) === 0, 'something is held after the release');
    }),
};

const held = (stage: Stage): Promise<number | undefined> =>
  stage.count('select count(*)::int as count from quarantined_message');
