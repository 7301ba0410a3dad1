export * from './cases.js';
export * from './deadline.js';
export * from './entitlement.js';
export * from './erasure.js';
export * from './listing.js';
export * from './membership.js';
export * from './notice.js';
export * from './review.js';
