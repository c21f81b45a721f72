import { notifyManager, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Form, Input, Typography } from 'antd';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import { keepToken, readToken, watchToken } from '../api/token.ts';
import { useWords } from './preferences.tsx';

interface SignInSettings {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scope?: string;
}

const settingsOf = {
  queryKey: ['sign-in'],
  queryFn: async () => (await fetch('sign-in.json')).json() as Promise<SignInSettings>,
};

let finishing: Promise<string | null> | undefined;

/** Shows the pages until the API answers that it wants a token; then asks for one, at the issuer or by hand. */
export function SignInGate({ children }: { readonly children: ReactNode }) {
  const wanted = useTokenWanted();
  const client = useQueryClient();
  const [coming, setComing] = useState(() => new URLSearchParams(location.search).has('code'));
  useEffect(() => {
    if (!coming) return;
    // A code is good for one exchange, whoever asks again for this page.
    finishing ??= finishSignIn();
    void finishing.then((token) => {
      keepToken(token);
      setComing(false);
      void client.invalidateQueries();
    });
  }, [coming, client]);
  if (coming) return null;
  return wanted ? <SignIn /> : children;
}

function SignIn() {
  const w = useWords();
  const client = useQueryClient();
  const { data: settings } = useQuery(settingsOf);
  const withToken = (token: string) => {
    keepToken(token);
    void client.resetQueries();
  };
  return (
    <Flex justify="center" style={{ paddingTop: '10vh' }}>
      <Card style={{ width: 520 }}>
        <Typography.Title level={1} style={{ fontSize: 24, marginTop: 0 }}>
          {w.signIn.title}
        </Typography.Title>
        <Typography.Paragraph>{w.signIn.explain}</Typography.Paragraph>
        {settings?.issuer === undefined ? (
          <Form layout="vertical" onFinish={({ token }: { token: string }) => withToken(token.trim())}>
            <Form.Item name="token" label={w.signIn.paste} rules={[{ required: true, message: w.signIn.paste }]}>
              <Input.Password autoComplete="off" />
            </Form.Item>
            <Button type="primary" htmlType="submit">
              {w.signIn.use}
            </Button>
          </Form>
        ) : (
          <Button type="primary" onClick={() => void beginSignIn(settings)}>
            {w.signIn.go}
          </Button>
        )}
        <Alert style={{ marginTop: 16 }} type="info" title={w.signIn.kept} />
      </Card>
    </Flex>
  );
}

export function SignOut() {
  const w = useWords();
  const client = useQueryClient();
  const wanted = useTokenWanted();
  const token = useSyncExternalStore(watchToken, readToken);
  if (wanted || token === null) return null;
  const leave = () => {
    keepToken(null);
    void client.resetQueries();
  };
  return (
    <Button size="small" onClick={leave}>
      {w.signIn.out}
    </Button>
  );
}

/** Whether the last word of the API to anything was that it wants a token. */
function useTokenWanted(): boolean {
  const cache = useQueryClient().getQueryCache();
  return useSyncExternalStore(
    // What is told while something else is drawn has to wait until that is done.
    (changed) => cache.subscribe(notifyManager.batchCalls(changed)),
    () => cache.getAll().some(({ state: { error } }) => error instanceof ApiProblem && error.status === 401),
  );
}

/** OpenID Connect, authorization code with PKCE. The library is loaded only where someone signs in. */
async function managerOf({ issuer = '', clientId = '', scope = 'openid' }: SignInSettings) {
  const { UserManager, WebStorageStateStore } = await import('oidc-client-ts');
  return new UserManager({
    authority: issuer,
    client_id: clientId,
    scope,
    redirect_uri: location.origin + location.pathname,
    response_type: 'code',
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    automaticSilentRenew: false,
  });
}

async function beginSignIn(settings: SignInSettings): Promise<void> {
  await (await managerOf(settings)).signinRedirect({ state: location.hash });
}

/** Takes the code out of the address as soon as it has been exchanged, and goes back to the page that was asked for. */
async function finishSignIn(): Promise<string | null> {
  try {
    const manager = await managerOf(await settingsOf.queryFn());
    const user = await manager.signinCallback();
    await manager.removeUser();
    history.replaceState(null, '', `${location.pathname}${String(user?.state ?? '')}`);
    return user?.access_token ?? null;
  } catch {
    history.replaceState(null, '', location.pathname + location.hash);
    return null;
  }
}
