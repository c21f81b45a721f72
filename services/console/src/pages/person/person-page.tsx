import { useQueries, useQuery } from '@tanstack/react-query';
import { Alert, Button, Card, Col, Flex, Row, Typography } from 'antd';
import { accountOf, backdated, bindingsOf, heldRefunds } from '../../api/queries.ts';
import { grouped, sumOf } from '../../parts/fen.ts';
import { Failure, Loading } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { AccountCard, PersonTags } from './account-card.tsx';
import { BindButton } from './bind-button.tsx';
import { BindingTable } from './binding-table.tsx';
import { FamilyPicture } from './family-picture.tsx';
import { inOrder } from './order.ts';
import { SettlementTable } from './settlement-table.tsx';
import { UsageCard } from './usage-card.tsx';

/** A person by their number: their account, the relatives who pay for them and for whom they pay, what was settled, and where money went. */
export function PersonPage({ personNo }: { readonly personNo: string }) {
  const w = useWords();
  const [account, payers, beneficiaries] = useQueries({
    queries: [accountOf(personNo), bindingsOf('beneficiary', personNo), bindingsOf('payer', personNo)],
  });
  const error = account.error ?? payers.error ?? beneficiaries.error;
  if (error !== null) {
    return (
      <Failure
        error={error}
        retry={() => void Promise.all([account, payers, beneficiaries].map((each) => each.refetch()))}
      />
    );
  }
  if (!account.data || !payers.data || !beneficiaries.data) return <Loading />;
  const paying = inOrder(payers.data.bindings);
  const paid = inOrder(beneficiaries.data.bindings);
  return (
    <Flex vertical gap="middle">
      <Flex align="center" gap="middle" wrap>
        <Typography.Title level={1} style={{ fontSize: 24, margin: 0 }}>
          {account.data.psn_name ?? personNo}
        </Typography.Title>
        <Typography.Text type="secondary" copyable={{ tooltips: w.copy }}>
          {personNo}
        </Typography.Text>
        <PersonTags account={account.data} />
      </Flex>
      <ToDo personNo={personNo} />
      <Row gutter={[16, 16]}>
        <Col xs={24} lg={9}>
          <AccountCard account={account.data} />
        </Col>
        <Col xs={24} lg={15}>
          <Card title={w.person.family} style={{ height: '100%' }}>
            <FamilyPicture account={account.data} paying={paying} paid={paid} />
          </Card>
        </Col>
      </Row>
      <SettlementTable personNo={personNo} />
      <Card title={w.person.payers}>
        {paying.length === 0 ? null : (
          <Typography.Paragraph type="secondary">{w.person.payersHint}</Typography.Paragraph>
        )}
        <BindingTable bindings={paying} side="payer" />
      </Card>
      {account.data.balance === null && paid.length === 0 ? null : (
        <Card title={w.person.beneficiaries} extra={<BindButton payer={personNo} />}>
          <BindingTable bindings={paid} side="beneficiary" />
        </Card>
      )}
      <UsageCard personNo={personNo} account={account.data} />
    </Flex>
  );
}

/** What staff still have to do about this person. */
function ToDo({ personNo }: { readonly personNo: string }) {
  const w = useWords();
  const { data: refunds } = useQuery(heldRefunds(personNo));
  const { data: draws } = useQuery(backdated(personNo));
  const held = refunds?.held ?? [];
  const listed = draws?.payers.find(({ payer }) => payer === personNo)?.count ?? 0;
  return (
    <>
      {held.length === 0 ? null : (
        <Alert
          type="warning"
          showIcon
          title={w.person.held(grouped(sumOf(held.map(({ open }) => open))))}
          action={<Button href="#/held">{w.person.look}</Button>}
        />
      )}
      {listed === 0 ? null : (
        <Alert
          type="warning"
          showIcon
          title={w.person.backdated(listed)}
          action={<Button href="#/backdated">{w.person.look}</Button>}
        />
      )}
    </>
  );
}
