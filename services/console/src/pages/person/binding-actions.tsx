import { DownOutlined } from '@ant-design/icons';
import { App, Button, Dropdown } from 'antd';
import { useState } from 'react';
import { useCommand, useOffered } from '../../api/commands.ts';
import type { Binding } from '../../api/types.ts';
import { useWords } from '../../shell/preferences.tsx';
import { LimitsForm } from './limits-form.tsx';

type Action = 'pause' | 'resume' | 'resumeArrears' | 'approve' | 'reject' | 'revoke' | 'limits';

/** What a binding's state allows; whether it comes to be is for the workers to decide. */
function actionsOf({ state, pause_reasons: reasons }: Binding): Action[] {
  if (state === 'PENDING') return ['approve', 'reject', 'revoke'];
  if (state !== 'ACTIVE' && state !== 'PAUSED') return [];
  return [
    reasons.includes('USER') ? ('resume' as const) : ('pause' as const),
    ...(reasons.includes('ARREARS') ? (['resumeArrears'] as const) : []),
    'limits',
    'revoke',
  ];
}

/** The commands a binding takes, where the API offers them. */
export function BindingActions({ binding }: { readonly binding: Binding }) {
  const w = useWords();
  const { modal } = App.useApp();
  const send = useCommand();
  const commands = useOffered('post', '/v1/bindings/{binding_id}/pause');
  const [limits, setLimits] = useState(false);
  const actions = commands ? actionsOf(binding) : [];
  if (actions.length === 0) return null;
  const path = `/v1/bindings/${encodeURIComponent(binding.binding_id)}`;
  const run = (action: Exclude<Action, 'limits'>) => {
    const body = action === 'resumeArrears' ? { reason: 'ARREARS' } : {};
    const verb = action === 'resumeArrears' ? 'resume' : action;
    modal.confirm({
      title: w.commands.sure(w.commands[action]),
      content: action === 'revoke' ? w.commands.revokeWarning : null,
      okText: w.commands[action],
      cancelText: w.commands.cancel,
      okButtonProps: { danger: action === 'revoke' || action === 'reject' },
      onOk: () => send.mutateAsync([{ method: 'POST', path: `${path}/${verb}`, body }]).catch(() => undefined),
    });
  };
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: actions.map((key) => ({ key, label: w.commands[key], danger: key === 'revoke' || key === 'reject' })),
          onClick: ({ key }) => (key === 'limits' ? setLimits(true) : run(key as Exclude<Action, 'limits'>)),
        }}
      >
        <Button size="small" loading={send.isPending} icon={<DownOutlined />} iconPlacement="end">
          {w.commands.more}
        </Button>
      </Dropdown>
      {limits ? <LimitsForm binding={binding} close={() => setLimits(false)} /> : null}
    </>
  );
}
