import { Alert, Card, Col, Row, Statistic } from 'antd';
import type { ClaimStanding, Explanation } from '../../api/types.ts';
import { grouped } from '../../parts/fen.ts';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

/** The claim's amounts: what it cost, who paid, and what was left in cash. */
export function Sums({ claim }: { readonly claim: ClaimStanding }) {
  const { w, appearance } = usePreferences();
  const colors = PAYING[appearance];
  const hospital =
    claim.hosp_part_amt === '0.00' ? [] : [[w.claim.hospital, claim.hosp_part_amt, colors.text] as const];
  const figures = [
    [w.claim.total, claim.medfee_sumamt, colors.text],
    [w.claim.fund, claim.fund_pay_sumamt, colors.text],
    ...hospital,
    [w.claim.share, claim.psn_part_amt, colors.text],
    [w.claim.own, claim.acct_pay, colors.own],
    [w.claim.relatives, claim.acct_mulaid_pay, colors.relative],
    [w.claim.cash, claim.psn_cash_pay, colors.cash],
  ] as const;
  return (
    <Card size="small">
      <Row gutter={[16, 16]}>
        {figures.map(([title, amount, color]) => (
          <Col key={title} xs={12} sm={8} lg={4}>
            <Statistic title={title} value={grouped(amount)} styles={{ content: { color, fontWeight: 600 } }} />
          </Col>
        ))}
      </Row>
    </Card>
  );
}

/** The question that is asked at the window most often, answered first. */
export function CashReason({ claim, told }: { readonly claim: ClaimStanding; readonly told: Explanation }) {
  const { w } = usePreferences();
  if (claim.psn_part_amt === '0.00') return null;
  if (claim.psn_cash_pay === '0.00') return <Alert type="success" showIcon title={w.claim.noCash} />;
  const asked = told.steps.filter(({ source }) => source !== 'CASH');
  // A refused claim asks nobody: the whole explanation says why.
  const sentences = asked.length === 0 ? told.sentences : asked.map(({ sentence }) => sentence);
  const description = (
    <ul style={{ margin: 0, paddingInlineStart: 20 }}>
      {[...new Set(sentences)].map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
  return (
    <Alert type="warning" showIcon title={w.claim.whyCash(grouped(claim.psn_cash_pay))} description={description} />
  );
}
