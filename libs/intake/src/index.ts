export { casesIn, floodStream, type CodesInForce, type IntakeReads } from './cases.js';
export * from './database-clock.js';
export * from './intake.js';
