export * from './liandun.module.js';
export { OnErased, OnMatched, OnNotice, type OnNoticeOptions } from './on-notice.js';
