import { reasonCodes, type DispositionDecision, type Notice } from '@liandun/contracts';
import { autoClosing, type ShopState } from '@liandun/sdk';

/** A shop as this platform keeps it. `ledger`: closed because of a notice, so a `reopen` may open it again. */
export interface OwnShop {
  shopId: string;
  merchantId: string;
  status: 'open' | 'closed';
  closedBy: 'ledger' | 'platform' | null;
  /** Orders that were placed and not yet delivered; closing never cancels them. */
  openOrders: number;
  /** The platform's own finding that this merchant stays, whatever others decided. */
  keepsOpen: boolean;
}

export interface Decision {
  decision: DispositionDecision;
  /** What happens to the platform's own shops. */
  close: string[];
  reopen: string[];
  /** An opaque id: the policy itself where the code is closable by machine, else the person on duty. */
  decidedBy: string;
  /** No person decided. */
  automated?: true;
  openOrders?: 'kept' | 'none';
}

const POLICY = 'sandbox-policy';
const REVIEWER = 'sandbox-reviewer-1';

/** The sandbox lets its policy close wherever a platform may (rule P01). */
const closesByItself = autoClosing({
  codes: [...reasonCodes().codes.values()].filter(({ autoClosable }) => autoClosable).map(({ code }) => code),
});

/**
 * What this platform does about a notice: a notice is information, the decision is the receiver's own (design section 1,
 * "Notices, not orders"). Where the code isn't closable by machine a person decides; the sandbox plays that person, who
 * agrees with every sure match, except of merchants that the platform keeps.
 * @param own the shops of the notice that this platform knows
 * @param states what the ledger says of them after this notice
 */
export function decide(notice: Notice, own: OwnShop[], states: ShopState[]): Decision {
  const who: Pick<Decision, 'decidedBy' | 'automated'> = closesByItself(notice)
    ? { decidedBy: POLICY, automated: true }
    : { decidedBy: REVIEWER };
  const nothing = (decision: DispositionDecision): Decision => ({ decision, close: [], reopen: [], ...who });
  switch (notice.action) {
    case 'close':
      return decideClose(own, nothing);
    case 'restrictAdmission':
      return nothing('restricted');
    case 'reopen':
      return decideReopen(own, states, nothing);
    case 'lift':
      return nothing('noShop');
    case 'check':
    case 'protect':
    case 'registryStatus':
    case 'correct':
    case 'mark':
    // Also what a later ledger may say: a person looks at it.
    default:
      return nothing('underReview');
  }
}

function decideClose(own: OwnShop[], nothing: (decision: DispositionDecision) => Decision): Decision {
  if (own.length === 0) return nothing('noShop');
  if (own.some(({ keepsOpen }) => keepsOpen)) return nothing('declined');
  const open = own.filter(({ status }) => status === 'open');
  if (open.length === 0) return nothing('alreadyClosed');
  return {
    ...nothing('closed'),
    close: open.map(({ shopId }) => shopId),
    openOrders: open.some(({ openOrders }) => openOrders > 0) ? 'kept' : 'none',
  };
}

/** Only what a notice closed opens again, and only once no listing is left. */
function decideReopen(
  own: OwnShop[],
  states: ShopState[],
  nothing: (decision: DispositionDecision) => Decision,
): Decision {
  const free = new Set(states.filter(({ closedBy }) => closedBy.length === 0).map(({ shopId }) => shopId));
  const closed = own.filter(({ status, closedBy }) => status === 'closed' && closedBy === 'ledger');
  const reopen = closed.filter(({ shopId }) => free.has(shopId)).map(({ shopId }) => shopId);
  if (reopen.length > 0) return { ...nothing('reopened'), reopen };
  return nothing(closed.length > 0 ? 'alreadyClosed' : 'noShop');
}
