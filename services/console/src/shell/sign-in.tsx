import { notifyManager, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Form, Input, Typography } from 'antd';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import { keepToken, readToken, watchToken } from '../api/token.ts';
import { Loading } from '../parts/states.tsx';
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

/** Why nobody is signed in although someone tried. */
type SignInProblem = 'DENIED' | 'STALE' | 'UNREACHABLE' | 'FAILED';
type Finished = { readonly token: string } | { readonly problem: SignInProblem };

let finishing: Promise<Finished> | undefined;

/** Shows the pages until the API answers that it wants a token; then asks for one, at the issuer or by hand. */
export function SignInGate({ children }: { readonly children: ReactNode }) {
  const wanted = useTokenWanted();
  const client = useQueryClient();
  const [coming, setComing] = useState(isComingBack);
  const [problem, setProblem] = useState<SignInProblem | null>(null);
  useEffect(() => {
    if (!coming) return;
    // A code is good for one exchange, whoever asks again for this page.
    finishing ??= finishSignIn();
    void finishing.then((finished) => {
      keepToken('token' in finished ? finished.token : null);
      setProblem('problem' in finished ? finished.problem : null);
      setComing(false);
      void client.invalidateQueries();
    });
  }, [coming, client]);
  if (coming) return <Loading />;
  return wanted || problem !== null ? <SignIn problem={problem} onProblem={setProblem} /> : children;
}

/** Whether the issuer has sent the browser back, with a code or with why there is none. */
function isComingBack(): boolean {
  const given = new URLSearchParams(location.search);
  return given.has('code') || given.has('error');
}

function SignIn({
  problem,
  onProblem,
}: {
  readonly problem: SignInProblem | null;
  readonly onProblem: (problem: SignInProblem | null) => void;
}) {
  const w = useWords();
  const client = useQueryClient();
  const { data: settings } = useQuery(settingsOf);
  const token = useSyncExternalStore(watchToken, readToken);
  const withToken = (pasted: string) => {
    keepToken(pasted);
    onProblem(null);
    void client.resetQueries();
  };
  const begin = (at: SignInSettings) => {
    onProblem(null);
    beginSignIn(at).catch((error: Error) => onProblem(problemOf(error)));
  };
  // With a token at hand the API has refused that one.
  const told = problem ?? (token === null ? null : 'REFUSED');
  return (
    <Flex justify="center" style={{ paddingTop: '10vh' }}>
      <Card style={{ width: 520 }}>
        <Typography.Title level={1} style={{ fontSize: 24, marginTop: 0 }}>
          {w.signIn.title}
        </Typography.Title>
        {told === null ? (
          <Typography.Paragraph>{w.signIn.explain}</Typography.Paragraph>
        ) : (
          <Alert
            role="alert"
            type="error"
            showIcon
            title={w.signIn.problems[told].what}
            description={w.signIn.problems[told].next}
            style={{ marginBottom: 16 }}
          />
        )}
        {settings?.issuer === undefined ? (
          <Form layout="vertical" onFinish={({ token: pasted }: { token: string }) => withToken(pasted.trim())}>
            <Form.Item name="token" label={w.signIn.paste} rules={[{ required: true, message: w.signIn.paste }]}>
              <Input.Password autoComplete="off" />
            </Form.Item>
            <Button type="primary" htmlType="submit">
              {w.signIn.use}
            </Button>
          </Form>
        ) : (
          <Button type="primary" onClick={() => begin(settings)}>
            {w.signIn.go}
          </Button>
        )}
        <Alert role="note" style={{ marginTop: 16 }} type="info" title={w.signIn.kept} />
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

/** Takes what the issuer said out of the address, and goes back to the page that was asked for. */
async function finishSignIn(): Promise<Finished> {
  const given = new URLSearchParams(location.search);
  try {
    // What this tab noted when it left for the issuer; the library takes it away when it is used.
    if (sessionStorage.getItem(`oidc.${given.get('state')}`) === null) return { problem: 'STALE' };
    const manager = await managerOf(await settingsOf.queryFn());
    const user = await manager.signinCallback();
    await manager.removeUser();
    history.replaceState(null, '', `${location.pathname}${String(user?.state ?? '')}`);
    return user === undefined ? { problem: 'FAILED' } : { token: user.access_token };
  } catch (error) {
    return { problem: problemOf(error as Error) };
  } finally {
    if (isComingBack()) history.replaceState(null, '', location.pathname + location.hash);
  }
}

const DENIALS = new Set(['access_denied', 'login_required', 'consent_required', 'interaction_required']);

/** What to tell of an error of the library, which names the issuer's own (`error` of OAuth 2.0) or what became of the request. */
function problemOf(error: Error & { readonly error?: unknown }): SignInProblem {
  if (typeof error.error === 'string') {
    if (DENIALS.has(error.error)) return 'DENIED';
    return error.error === 'invalid_grant' ? 'STALE' : 'FAILED';
  }
  return error instanceof TypeError || error.name === 'ErrorTimeout' ? 'UNREACHABLE' : 'FAILED';
}
