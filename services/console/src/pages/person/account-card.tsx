import { Card, Col, Descriptions, Flex, Row, Statistic, Tag, Typography } from 'antd';
import type { Account } from '../../api/types.ts';
import { grouped } from '../../parts/fen.ts';
import { useWords } from '../../shell/preferences.tsx';

/** What stands out about a person, beside their name. */
export function PersonTags({ account }: { readonly account: Account }) {
  const w = useWords();
  return (
    <Flex gap={4} wrap>
      {account.in_arrears ? <Tag color="red">{w.person.inArrears}</Tag> : null}
      {account.status === 'ACTIVE' ? null : <Tag color="red">{w.accountStates[account.status]}</Tag>}
      {account.insured ? null : <Tag color="red">{w.person.insuredOff}</Tag>}
      <Tag>{w.insurances[account.insutype] ?? account.insutype}</Tag>
      <Tag>{w.employments[account.employment]}</Tag>
    </Flex>
  );
}

/** The person's own account and facts. A relative's balance is nowhere on this page. */
export function AccountCard({ account }: { readonly account: Account }) {
  const w = useWords();
  const figures = [
    [w.person.balance, account.balance],
    [w.person.prior, account.prior_year],
    [w.person.current, account.current_year],
  ] as const;
  const items = [
    {
      label: w.person.area,
      children: <Typography.Link href={`#/policies/${account.insu_admdvs}`}>{account.insu_admdvs}</Typography.Link>,
    },
    { label: w.person.insured, children: account.insured ? w.person.insuredOn : w.person.insuredOff },
    { label: w.person.card, children: account.card_active ? w.person.cardOn : w.person.cardOff },
    { label: w.person.wallet, children: account.wallet_open ? w.person.walletOn : w.person.walletOff },
    ...(account.in_arrears
      ? [
          {
            label: w.person.arrears,
            children:
              account.arrears_since === null ? w.person.inArrears : w.person.arrearsSince(account.arrears_since),
          },
        ]
      : []),
    ...(account.unpaid_periods.length > 0
      ? [{ label: w.person.unpaid, children: account.unpaid_periods.join(', ') }]
      : []),
    ...(account.recovered_on === null ? [] : [{ label: w.person.recovered, children: account.recovered_on }]),
  ];
  return (
    <Card title={w.person.account} style={{ height: '100%' }}>
      {account.balance === null ? (
        <Typography.Paragraph type="secondary">{w.person.noAccount}</Typography.Paragraph>
      ) : (
        <Row gutter={[16, 16]} style={{ marginBottom: 16 }}>
          {figures.map(([title, amount]) => (
            <Col key={title} flex="auto">
              <Statistic title={title} value={grouped(amount ?? '')} styles={{ content: { fontSize: 22 } }} />
            </Col>
          ))}
        </Row>
      )}
      <Descriptions size="small" column={{ xs: 1, sm: 2, lg: 1, xl: 2 }} items={items} />
    </Card>
  );
}
