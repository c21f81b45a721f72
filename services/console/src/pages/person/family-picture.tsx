import { useMemo } from 'react';
import { useLocation } from 'wouter';
import type { Account, Binding } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { NoRows } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

interface Props {
  readonly account: Account;
  readonly paying: readonly Binding[];
  readonly paid: readonly Binding[];
}

const ROW = 74;
const SIDE = 76;
const TOP = 24;

/** Those who pay on the left, those paid for on the right, the person in the middle; a click leads to a relative. The tables below say the same. */
export function FamilyPicture({ account, paying, paid }: Props) {
  const { w, appearance } = usePreferences();
  const [, navigate] = useLocation();
  const option = useMemo(
    () => (width: number) => optionOf({ account, paying, paid }, width, w, PAYING[appearance]),
    [account, paying, paid, w, appearance],
  );
  if (paying.length + paid.length === 0) return <NoRows text={w.person.noPayers} />;
  const height = Math.max(paying.length, paid.length, 2) * ROW + TOP;
  return (
    <Chart
      option={option}
      height={height}
      label={w.person.picture}
      onClick={(name) => {
        const personNo = name.slice(1);
        if (name.startsWith('<') || name.startsWith('>')) navigate(`/people/${encodeURIComponent(personNo)}`);
      }}
    />
  );
}

type Words = ReturnType<typeof usePreferences>['w'];
type Colors = (typeof PAYING)['light' | 'dark'];

/** Places are pixels, so that what is round stays round at any width. */
function optionOf({ account, paying, paid }: Props, width: number, w: Words, colors: Colors) {
  const rows = Math.max(paying.length, paid.length, 2);
  const y = (place: number, count: number) => TOP + (place + (rows - count) / 2) * ROW;
  const me = account.psn_no;
  // Where nobody stands on one side, the person does.
  const middle = paying.length === 0 ? SIDE : paid.length === 0 ? width - SIDE : width / 2;
  const node = (name: string, x: number, at: number, text: string, color: string, size: number) => ({
    name,
    x,
    y: at,
    fixed: true,
    symbolSize: size,
    itemStyle: { color },
    label: { show: true, formatter: text, position: 'bottom', color: colors.text, fontSize: 12, lineHeight: 16 },
  });
  const works = ({ state, type }: Binding) => state === 'ACTIVE' && type === 'FAMILY_SHARING';
  const colorOf = (binding: Binding) => (works(binding) ? colors.relative : colors.muted);
  const edge = (source: string, target: string, binding: Binding, text: string) => ({
    source,
    target,
    lineStyle: {
      opacity: 1,
      color: colorOf(binding),
      width: works(binding) ? 2.5 : 1.5,
      type: works(binding) ? 'solid' : 'dashed',
    },
    label: {
      show: true,
      formatter: works(binding) ? text : `${text} · ${w.states[binding.state]}`,
      color: colors.text,
      opacity: 1,
      fontSize: 13,
    },
  });
  const corner = (name: string, x: number, at: number) => ({ name, x, y: at, fixed: true, symbolSize: 0 });
  return {
    animation: false,
    series: [
      {
        type: 'graph',
        layout: 'none',
        roam: false,
        left: 0,
        right: 0,
        top: 0,
        bottom: 0,
        edgeSymbol: ['none', 'arrow'],
        edgeSymbolSize: 9,
        emphasis: { disabled: true },
        data: [
          corner('first', 0, 0),
          corner('last', width, rows * ROW + TOP),
          node('me', middle, y(0, 1), account.psn_name ?? me, colors.own, 44),
          ...paying.map((each, i) => node(`<${each.payer}`, SIDE, y(i, paying.length), each.payer, colorOf(each), 32)),
          ...paid.map((each, i) =>
            node(`>${each.beneficiary}`, width - SIDE, y(i, paid.length), each.beneficiary, colorOf(each), 32),
          ),
        ],
        links: [
          ...paying.map((each, i) => edge(`<${each.payer}`, 'me', each, `${i + 1}. ${w.payerAs[each.relation]}`)),
          ...paid.map((each) => edge('me', `>${each.beneficiary}`, each, w.relations[each.relation])),
        ],
      },
    ],
  };
}
