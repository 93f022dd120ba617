"""Everything after the networks: fusion, clean-up, measurements, maps, figures."""
