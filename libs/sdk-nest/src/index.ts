export * from './liandun.module.js';
export { OnNotice, type OnNoticeOptions } from './on-notice.js';
