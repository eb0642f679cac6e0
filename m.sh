/usr/bin/time -f "$1: %e s wall, %U + %S cpu" .venv/bin/snakemake --cores 2 --configfile config/smoke.yaml > ../watch-m.log 2>&1; tail -1 ../watch-m.err; tail -1 ../watch-m.log
