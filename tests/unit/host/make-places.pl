#!/usr/bin/perl
# Makes country.mmdb and asn.mmdb with MaxMind's own writer (Debian: libmaxmind-db-writer-perl), in the
# shapes of GeoLite2-Country and GeoLite2-ASN. The networks are real, their owners here are invented.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my %types = (
	country => 'map', registered_country => 'map', iso_code => 'utf8_string',
	autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string',
);

sub write_file {
	my ($name, $type, $version, %networks) = @_;
	my $tree = MaxMind::DB::Writer::Tree->new(
		ip_version => $version, record_size => 24, database_type => $type, languages => ['en'],
		description => { en => 'made for a test' }, map_key_type_callback => sub { $types{ $_[0] } },
		remove_reserved_networks => 0,
	);
	$tree->insert_network($_, $networks{$_}) for sort keys %networks;
	open my $fh, '>:raw', $name or die "$name: $!";
	$tree->write_tree($fh);
}

write_file('country.mmdb', 'GeoLite2-Country', 6,
	'8.8.8.0/24' => { country => { iso_code => 'US' } },
	'9.9.9.0/24' => { registered_country => { iso_code => 'CH' } },
	'2a00:1450::/32' => { country => { iso_code => 'IE' } },
	'10.0.0.0/8' => { country => { iso_code => 'XX' } });
write_file('asn.mmdb', 'GeoLite2-ASN', 4,
	'8.8.8.0/24' => { autonomous_system_number => 64500, autonomous_system_organization => 'Example Carrier' },
	'1.1.1.0/24' => { autonomous_system_number => 4200000001, autonomous_system_organization => "Caf\x{e9}-Net" });
