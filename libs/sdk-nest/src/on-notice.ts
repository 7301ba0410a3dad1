import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { ErasedNotices, MatchedScreening, Notice, NoticeAction } from '@liandun/contracts';
import type { NoticeHandler, ShopState } from '@liandun/sdk';

export interface OnNoticeOptions {
  /** Only these actions; all unless told. */
  actions?: readonly NoticeAction[];
}

/**
 * Marks a provider's method `(notice, tx, shops)` as a handler of notices. It runs in the transaction that moves the
 * consumer's cursor, so its effects through `tx` are stored exactly once; what it throws is retried. Handlers of the
 * same notice run one after the other in the same transaction.
 */
export const OnNotice = Reflector.createDecorator<OnNoticeOptions | undefined, OnNoticeOptions>({
  transform: (options = {}) => options,
});

/**
 * Marks a provider's method `(erased, tx)` that takes the names of erased persons out of the platform's copies of the
 * notices that `erased.noticeIds` names; see `NoticeHandler.erased` of the SDK.
 */
export const OnErased = Reflector.createDecorator<undefined, true>({ transform: () => true });

/** Marks a provider's method `(matched, tx)` that is told of later listings which match what the platform screened before. */
export const OnMatched = Reflector.createDecorator<undefined, true>({ transform: () => true });

type MatchedMethod<Tx> = (matched: MatchedScreening, tx: Tx) => unknown;
type ErasedMethod<Tx> = (erased: ErasedNotices, tx: Tx) => unknown;
type Method<Tx> = (notice: Notice, tx: Tx, shops: ShopState[]) => unknown;

/** One handler out of all methods marked with `@OnNotice()`. Throws at start if there is none: nothing would be done. */
export function discoverHandler<Tx>(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  reflector: Reflector,
): NoticeHandler<Tx> {
  const methods: { run: Method<Tx>; actions?: readonly NoticeAction[] }[] = [];
  const redacting: ErasedMethod<Tx>[] = [];
  const alerted: MatchedMethod<Tx>[] = [];
  for (const { instance } of discovery.getProviders()) {
    if (typeof instance !== 'object' || instance === null) continue;
    for (const name of scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object)) {
      const method = (instance as Record<string, unknown>)[name];
      if (typeof method !== 'function') continue;
      const options = reflector.get(OnNotice, method as Method<Tx>);
      if (options) methods.push({ run: (method as Method<Tx>).bind(instance), actions: options.actions });
      if (reflector.get(OnErased, method as ErasedMethod<Tx>))
        redacting.push((method as ErasedMethod<Tx>).bind(instance));
      if (reflector.get(OnMatched, method as MatchedMethod<Tx>))
        alerted.push((method as MatchedMethod<Tx>).bind(instance));
    }
  }
  if (methods.length === 0) throw new Error('LiandunModule: no provider has a method marked with @OnNotice()');
  return {
    async handle(notice, tx, shops) {
      for (const { run, actions } of methods) {
        if (!actions || actions.includes(notice.action)) await run(notice, tx, shops);
      }
    },
    async erased(erased, tx) {
      for (const run of redacting) await run(erased, tx);
    },
    async matched(matched, tx) {
      for (const run of alerted) await run(matched, tx);
    },
  };
}
