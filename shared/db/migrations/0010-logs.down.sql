drop table log_places;
