export * from './access.js';
export * from './budgets.js';
export * from './erasures.js';
export * from './fan-out.js';
export * from './identity-links.js';
export * from './ledger-fold.js';
export * from './migrations.js';
export * from './queries.js';
