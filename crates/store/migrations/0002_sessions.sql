-- Sessions held their id in plain beside its hash. Everybody signs in anew.
delete from session;
