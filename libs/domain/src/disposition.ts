import type { DispositionDecision, NoticeAction, SubjectKind } from '@liandun/contracts';

const CLOSING: readonly DispositionDecision[] = [
  ...(['closed', 'restricted', 'alreadyClosed', 'noShop', 'underReview', 'declined'] as const),
];
const REOPENING: readonly DispositionDecision[] = ['reopened', 'alreadyClosed', 'noShop', 'underReview', 'declined'];

/** What a receiver may answer to each action. The entry that protects a victim never closes a shop (rule P01). */
const ANSWERS: Record<NoticeAction, readonly DispositionDecision[]> = {
  close: CLOSING,
  check: CLOSING,
  registryStatus: CLOSING,
  restrictAdmission: CLOSING.filter((decision) => decision !== 'closed'),
  protect: CLOSING.filter((decision) => decision !== 'closed'),
  reopen: REOPENING,
  lift: REOPENING,
  correct: REOPENING,
  // It asks for nothing; what the receiver decides because of it, it may say.
  mark: [...CLOSING, 'reopened'],
};

interface Shops {
  shops: readonly { shopId: string }[];
}

interface Answered extends Shops {
  action: NoticeAction;
  autoClosable: boolean;
  entity: { kind: SubjectKind };
}

/**
 * Whether a policy may close on a notice with no person deciding: the notice says so (rule P01), and it is about an organization. No
 * sole proprietor, person or streamer is closed by a machine alone (rule P08; 个人信息保护法 第24条).
 */
const mayCloseWithoutPerson = ({ autoClosable, entity }: Answered): boolean =>
  autoClosable && entity.kind === 'organization';

/** What is wrong with a disposition as the answer to its notice (rules P01, P08, P22); undefined where nothing is. */
export function dispositionRefusal(
  disposed: Shops & { decision: DispositionDecision; automated?: boolean },
  notice: Answered,
): { wrong: 'decision' } | { wrong: 'automated' } | { wrong: 'shop'; index: number } | undefined {
  if (!ANSWERS[notice.action].includes(disposed.decision)) return { wrong: 'decision' };
  if (disposed.automated && disposed.decision === 'closed' && !mayCloseWithoutPerson(notice))
    return { wrong: 'automated' };
  const named = new Set(notice.shops.map(({ shopId }) => shopId));
  const index = disposed.shops.findIndex(({ shopId }) => !named.has(shopId));
  return index < 0 ? undefined : { wrong: 'shop', index };
}
