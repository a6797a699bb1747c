import { config } from 'zod';

// zod compiles its checks with `new Function` where it may. Pages that forbid that (ours, and
// schools with a strict content security policy) would get a violation report for the attempt.
config({ jitless: true });
