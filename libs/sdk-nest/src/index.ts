export * from './liandun.module.js';
export { OnErased, OnNotice, type OnNoticeOptions } from './on-notice.js';
