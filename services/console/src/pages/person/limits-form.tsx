import { Form, Modal } from 'antd';
import dayjs from 'dayjs';
import { useCommand } from '../../api/commands.ts';
import type { Binding } from '../../api/types.ts';
import { useWords } from '../../shell/preferences.tsx';
import { LimitFields, type Limits, limitsAsSent } from './limit-fields.tsx';

/** The settings that the payer of a binding may change; an empty field clears it. Only what differs is sent. */
export function LimitsForm({ binding, close }: { readonly binding: Binding; readonly close: () => void }) {
  const w = useWords();
  const [form] = Form.useForm<Limits>();
  const send = useCommand();
  const submit = (fields: Limits) => {
    const wanted = limitsAsSent(fields);
    const changed = Object.entries(wanted).filter(([name, value]) => value !== binding[name as keyof typeof wanted]);
    if (changed.length === 0) return close();
    const path = `/v1/bindings/${encodeURIComponent(binding.binding_id)}`;
    send.mutate([{ method: 'PATCH', path, body: Object.fromEntries(changed) }], { onSuccess: close });
  };
  const until = binding.effective_to === null ? null : dayjs(binding.effective_to);
  return (
    <Modal
      open
      title={w.commands.limits}
      onCancel={close}
      onOk={() => form.submit()}
      confirmLoading={send.isPending}
      okText={w.commands.save}
      cancelText={w.commands.cancel}
    >
      <Form
        form={form}
        layout="vertical"
        onFinish={submit}
        initialValues={{
          daily_limit: binding.daily_limit ?? '',
          authorised_amount: binding.authorised_amount ?? '',
          effective_to: until,
        }}
      >
        <LimitFields />
      </Form>
    </Modal>
  );
}
