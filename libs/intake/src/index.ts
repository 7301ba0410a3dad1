export * from './database-clock.js';
export * from './intake.js';
