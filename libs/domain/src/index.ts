export * from './entitlement.js';
export * from './listing.js';
export * from './notice.js';
