do $$
declare
  routine regprocedure;
begin
  for routine in
    select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
      and proname in ('runtime_checkpoint', 'runtime_prune_thread', 'runtime_prune_checkpoints')
  loop
    execute format('drop function %s', routine);
  end loop;
end
$$;
drop table checkpoint_writes, checkpoint_blobs, checkpoints;
