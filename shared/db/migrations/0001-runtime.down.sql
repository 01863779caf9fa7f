-- The roles stay: they belong to the server, and other databases of it may use them.
do $$
declare
  routine regprocedure;
begin
  for routine in
    select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace and proname like 'runtime\_%'
  loop
    execute format('drop function %s', routine);
  end loop;
end
$$;
drop table dead_letters, effects, runs, log_marks, epoch_openings, attempts, timers, outbox, processed_commands, actor_state,
  partition_epochs, kinds;
drop function current_tenant();
revoke usage on schema public from waggle_app, waggle_runtime;
