export {
  type DeadLetter,
  type Found,
  foundOf,
  isOurs,
  isWanted,
  type Original,
  readDeadLetters,
  redrive,
} from './dead-letters.ts';
export { factsOf, type MessageFacts, printable, wholeOf } from './facts.ts';
export {
  heldOf,
  type ListedMessage,
  type ListedQuarantine,
  listed,
  listedMessage,
  type Ordered,
  openHeld,
  order,
  quarantinesFor,
  waitFor,
} from './held.ts';
export { DROP_CODES, type DropCode, planDrop, reasonProblem, textProblem } from './orders.ts';
export { type Filter, heldPlaceOf, type Place, parsePlace, placeName, STREAMS, type Stream, topicOf } from './place.ts';
