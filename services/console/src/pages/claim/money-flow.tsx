import { Card } from 'antd';
import { useMemo } from 'react';
import type { ClaimStanding } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { grouped, sumOf } from '../../parts/fen.ts';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

/** Where the fee was paid from, as streams as wide as their amounts. */
export function MoneyFlow({ claim }: { readonly claim: ClaimStanding }) {
  const { w, appearance } = usePreferences();
  const colors = PAYING[appearance];
  const parts = useMemo(() => partsOf(claim, w, colors), [claim, w, colors]);
  const option = useMemo(() => optionOf(claim, parts, w, colors), [claim, parts, w, colors]);
  if (claim.medfee_sumamt === '0.00' || parts.length === 0) return null;
  const label = `${w.claim.picture}: ${parts.map(({ name, amount }) => `${name} ${amount}`).join(', ')}`;
  return (
    <Card title={w.claim.picture}>
      <Chart option={option} height={240} label={label} />
    </Card>
  );
}

type Words = ReturnType<typeof usePreferences>['w'];
type Colors = (typeof PAYING)['light' | 'dark'];

interface Part {
  readonly name: string;
  readonly amount: string;
  readonly color: string;
  /** Part of the personal share, and not of what others bear. */
  readonly personal: boolean;
}

function partsOf(claim: ClaimStanding, w: Words, colors: Colors): Part[] {
  const relatives = claim.allocation
    .filter(({ source }) => source === 'RELATIVE')
    .map(({ account, relation, amount }, place) => ({
      // The place keeps two relatives apart whose numbers end alike.
      name: `${place + 1}. ${relation === undefined ? w.sources.RELATIVE : w.payerAs[relation]} …${account.slice(-4)}`,
      amount,
      color: colors.relative,
      personal: true,
    }));
  const all = [
    { name: w.sources.FUND, amount: claim.fund_pay_sumamt, color: colors.fund, personal: false },
    { name: w.sources.HOSPITAL, amount: claim.hosp_part_amt, color: colors.fund, personal: false },
    { name: w.sources.OWN, amount: claim.acct_pay, color: colors.own, personal: true },
    ...relatives,
    { name: w.sources.CASH, amount: claim.psn_cash_pay, color: colors.cash, personal: true },
  ];
  return all.filter(({ amount }) => amount !== '0.00');
}

/** Widths are drawn from binary numbers; the figures beside them are the amounts themselves. */
function optionOf(claim: ClaimStanding, parts: readonly Part[], w: Words, colors: Colors) {
  const personal = parts.filter((part) => part.personal);
  const amounts = new Map(parts.map(({ name, amount }) => [name, amount]));
  amounts.set(w.claim.total, claim.medfee_sumamt);
  amounts.set(w.claim.share, sumOf(personal.map(({ amount }) => amount)));
  const link = (source: string, { name, amount, color }: Part) => ({
    source,
    target: name,
    value: Number(amount),
    lineStyle: { color, opacity: 0.45 },
  });
  const share = { name: w.claim.share, amount: amounts.get(w.claim.share) ?? '', color: colors.muted, personal: true };
  return {
    animation: false,
    series: [
      {
        type: 'sankey',
        left: 4,
        right: 120,
        top: 8,
        bottom: 8,
        draggable: false,
        emphasis: { disabled: true },
        nodeGap: 14,
        layoutIterations: 0,
        nodeAlign: 'left',
        label: {
          color: colors.text,
          fontSize: 13,
          formatter: ({ name }: { name: string }) => `${name}\n${grouped(amounts.get(name) ?? '')}`,
        },
        data: [
          { name: w.claim.total, itemStyle: { color: colors.fund } },
          ...(personal.length > 0 ? [{ name: w.claim.share, itemStyle: { color: colors.muted } }] : []),
          ...parts.map(({ name, color }) => ({ name, itemStyle: { color } })),
        ],
        links: [
          ...parts.filter((part) => !part.personal).map((part) => link(w.claim.total, part)),
          ...(personal.length > 0 ? [link(w.claim.total, share)] : []),
          ...personal.map((part) => link(w.claim.share, part)),
        ],
      },
    ],
  };
}
