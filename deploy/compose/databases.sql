-- One database a service; its tables it makes itself.
CREATE DATABASE patient;
CREATE DATABASE matching;
CREATE DATABASE transfer;
CREATE DATABASE referral;
CREATE DATABASE settlement_310000;
CREATE DATABASE settlement_340000;
