import { lazy, type ReactNode, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { FindPage } from '../pages/find.tsx';
import { Loading, Nothing } from '../parts/states.tsx';
import { useWords } from './preferences.tsx';

/** A page is fetched when it is first opened, and with the first the styles of what the search does without: the first view stays small. */
function fetched<Props extends object>(load: () => Promise<(props: Props) => ReactNode>) {
  return lazy(async () => {
    const [page] = await Promise.all([load(), import('./rest-styles.ts')]);
    return { default: page };
  });
}

const ClaimPage = fetched(async () => (await import('../pages/claim/claim-page.tsx')).ClaimPage);
const PersonPage = fetched(async () => (await import('../pages/person/person-page.tsx')).PersonPage);
const BoardPage = fetched(async () => (await import('../pages/board/board-page.tsx')).BoardPage);
const BackdatedPage = fetched(async () => (await import('../pages/staff/backdated-page.tsx')).BackdatedPage);
const HeldPage = fetched(async () => (await import('../pages/staff/held-page.tsx')).HeldPage);
const ArrearsPage = fetched(async () => (await import('../pages/staff/arrears-page.tsx')).ArrearsPage);
const PoliciesPage = fetched(async () => (await import('../pages/policies/policies-page.tsx')).PoliciesPage);
const DeadLettersPage = fetched(async () => (await import('../pages/repair/dead-letters-page.tsx')).DeadLettersPage);
const QuarantinePage = fetched(async () => (await import('../pages/repair/quarantine-page.tsx')).QuarantinePage);
const BooksPage = fetched(async () => (await import('../pages/books/books-page.tsx')).BooksPage);

export function Pages() {
  const w = useWords();
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/" component={FindPage} />
        <Route path="/people/:psn">{({ psn }) => <PersonPage key={psn} personNo={decodeURIComponent(psn)} />}</Route>
        <Route path="/claims/:id">{({ id }) => <ClaimPage key={id} claimId={decodeURIComponent(id)} />}</Route>
        <Route path="/board" component={BoardPage} />
        <Route path="/backdated" component={BackdatedPage} />
        <Route path="/held" component={HeldPage} />
        <Route path="/arrears" component={ArrearsPage} />
        <Route path="/dead-letters" component={DeadLettersPage} />
        <Route path="/quarantine" component={QuarantinePage} />
        <Route path="/books/:day?">{({ day }) => <BooksPage key={day} day={day} />}</Route>
        <Route path="/policies/:area?/:on?/:other?/:otherArea?">
          {({ area, on, other, otherArea }) => <PoliciesPage area={area} on={on} other={other} otherArea={otherArea} />}
        </Route>
        <Route>
          <Nothing text={w.badAddress} />
        </Route>
      </Switch>
    </Suspense>
  );
}
