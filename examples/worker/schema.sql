create table if not exists stock (
	sku    text primary key,
	amount integer not null check (amount >= 0)
);

create table if not exists delivery (
	sku    text not null,
	amount integer not null check (amount > 0)
);
