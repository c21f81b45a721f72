import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { FindPage } from '../pages/find.tsx';
import { Loading, Nothing } from '../parts/states.tsx';
import { useWords } from './preferences.tsx';

// Each page is fetched when it is first opened: the first view stays small.
const ClaimPage = lazy(async () => ({ default: (await import('../pages/claim/claim-page.tsx')).ClaimPage }));
const PersonPage = lazy(async () => ({ default: (await import('../pages/person/person-page.tsx')).PersonPage }));
const BoardPage = lazy(async () => ({ default: (await import('../pages/board/board-page.tsx')).BoardPage }));
const BackdatedPage = lazy(async () => ({
  default: (await import('../pages/staff/backdated-page.tsx')).BackdatedPage,
}));
const HeldPage = lazy(async () => ({ default: (await import('../pages/staff/held-page.tsx')).HeldPage }));
const ArrearsPage = lazy(async () => ({ default: (await import('../pages/staff/arrears-page.tsx')).ArrearsPage }));
const PoliciesPage = lazy(async () => ({
  default: (await import('../pages/policies/policies-page.tsx')).PoliciesPage,
}));

const DeadLettersPage = lazy(async () => ({
  default: (await import('../pages/repair/dead-letters-page.tsx')).DeadLettersPage,
}));
const QuarantinePage = lazy(async () => ({
  default: (await import('../pages/repair/quarantine-page.tsx')).QuarantinePage,
}));
const BooksPage = lazy(async () => ({ default: (await import('../pages/books/books-page.tsx')).BooksPage }));

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
