-- By how much alerts that joined a case have raised it, in minor units of expected money: a task's place in the queue
-- is by its own `priority` and this, so that one number changes where every waiting task's did.
ALTER TABLE cases ADD COLUMN raised DOUBLE DEFAULT 0;
