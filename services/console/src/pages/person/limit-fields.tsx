import { DatePicker, Form, Input } from 'antd';
import type { Dayjs } from 'dayjs';
import { useWords } from '../../shell/preferences.tsx';

/** What the payer of a binding may set; an empty field sets nothing. */
export interface Limits {
  readonly daily_limit?: string;
  readonly authorised_amount?: string;
  readonly effective_to?: Dayjs | null;
}

export const limitsAsSent = (fields: Limits) => ({
  daily_limit: fields.daily_limit || null,
  authorised_amount: fields.authorised_amount || null,
  effective_to: fields.effective_to?.format('YYYY-MM-DD') ?? null,
});

export function LimitFields() {
  const w = useWords();
  const amount = [{ pattern: /^\d{1,14}(\.\d{1,2})?$/, message: w.commands.amountForm }];
  return (
    <>
      <Form.Item name="daily_limit" label={w.commands.dailyLimit} rules={amount}>
        <Input inputMode="decimal" />
      </Form.Item>
      <Form.Item name="authorised_amount" label={w.commands.authorised} rules={amount}>
        <Input inputMode="decimal" />
      </Form.Item>
      <Form.Item name="effective_to" label={w.commands.until}>
        <DatePicker style={{ width: '100%' }} />
      </Form.Item>
    </>
  );
}
