import { BlockPlan } from '../lib/blocks/plan.js';
import { Scheduler } from '../lib/scheduler/scheduler.js';
