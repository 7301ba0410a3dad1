export * from './batch.js';
export * from './normalise/index.js';
export * from './matcher/index.js';
export * from './observe.js';
