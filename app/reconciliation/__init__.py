"""What hospital, platform and insurer say was borne, compared every night; differences are kept until explained."""
