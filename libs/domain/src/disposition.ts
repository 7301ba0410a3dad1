import type { DispositionDecision, NoticeAction } from '@liandun/contracts';

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

/** What is wrong with a disposition as the answer to its notice (rule P22); undefined where nothing is. */
export function dispositionRefusal(
  disposed: Shops & { decision: DispositionDecision },
  notice: Shops & { action: NoticeAction },
): { wrong: 'decision' } | { wrong: 'shop'; index: number } | undefined {
  if (!ANSWERS[notice.action].includes(disposed.decision)) return { wrong: 'decision' };
  const named = new Set(notice.shops.map(({ shopId }) => shopId));
  const index = disposed.shops.findIndex(({ shopId }) => !named.has(shopId));
  return index < 0 ? undefined : { wrong: 'shop', index };
}
