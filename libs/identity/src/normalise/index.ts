/** Grows with every change that gives another value for some input: keys and features stored with an older one are made anew. */
export const NORMALISER_VERSION = 1;

export * from './address.js';
export * from './company-name.js';
export * from './contact.js';
export * from './han.js';
export * from './latin-name.js';
export * from './name-distance.js';
export * from './person-name.js';
export * from './region.js';
export * from './resident-id.js';
export * from './shop-address.js';
export * from './text.js';
export * from './uscc.js';
