"""Networks: the recurrent spiking network and the recurrent networks it is compared with."""
